/**
 * Words that passwords of people are most often made of, in the languages most often met. Passwords of twelve
 * characters are these with decoration: "Password123!", "Welcome2026!!", "qwertyuiop12".
 */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  `
  password passwort passwd passw passphrase motdepasse contrasena contraseña senha parola wachtwoord haslo heslo losenord
  kodeord salasana pass word secret secrets geheim secreto access login logon signin signup welcome willkommen bienvenue
  bienvenido benvenuto letmein openup opensesame changeme change changeit default temporary temp tempo test testing tester
  test123 demo sample example guest user username users admin admins administrator root toor superuser super sysadmin system
  manager master owner operator support service server client backup database oracle mysql postgres cisco juniper ubuntu
  debian linux windows microsoft office outlook google gmail android apple iphone samsung yahoo hotmail facebook twitter
  instagram linkedin youtube netflix amazon adobe internet computer laptop keyboard monitor hello hallo hola bonjour ciao
  goodbye goodmorning iloveyou iloveu loveyou love lovely lover loveme teamo tequiero jetaime ichliebedich princess prince
  queen king baby babygirl babyboy angel angels sweet sweety sweetie honey darling sunshine sunflower moonlight rainbow
  star starlight flower flowers butterfly dolphin monkey dragon tiger lion eagle falcon wolf panda puppy kitten kitty
  cookie cookies chocolate cheese coffee banana orange apples cherry pepper ginger peanut pumpkin summer sommer winter
  spring autumn january february march april june july august september october november december monday tuesday
  wednesday thursday friday saturday sunday today tomorrow forever freedom liberty happy happiness smile lucky money
  dollar bitcoin crypto wallet bank banking finance business company corporate football futbol soccer baseball basketball
  hockey tennis golf cricket rugby running racing ferrari porsche mercedes mustang corvette harley yamaha honda toyota
  chelsea arsenal liverpool manchester barcelona realmadrid juventus bayern dortmund yankees lakers cowboys steelers
  batman superman spiderman ironman starwars startrek skywalker pokemon pikachu naruto minecraft fortnite warcraft
  zelda mario sonic matrix gandalf hobbit merlin phoenix shadow hunter ranger ninja samurai warrior soldier marine
  killer thunder lightning storm hurricane blizzard fire ice diamond gold golden silver platinum purple yellow black
  white green blue red metallica slipknot nirvana eminem beatles michael michelle jennifer jessica ashley amanda
  nicole daniel david andrew anthony charlie thomas robert william james jordan joshua justin matthew maggie george
  alexander alexandra andrea maria marina anna elena sophie laura sarah patrick stefan martin peter richard steven
  london paris berlin madrid roma newyork boston chicago dallas texas california florida america canada australia
  england scotland ireland germany deutschland france espana italia brasil mexico india china japan russia europe
  security secure safety safe protect private privacy hacker hacking qwerty qwertz azerty qwertyuiop qwertzuiop
  azertyuiop asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc wsxedc abc abcd abcdef abcdefg abcabc abc123 aaa
  trustno trustnoone nopassword mypassword yourpassword newpassword oldpassword thepassword mypass nothing whatever
  something anything jesus jesuschrist christ god blessed faith heaven church bible allah muhammad family friends
  friend mother father mommy daddy mama papa sister brother college school student teacher university library
  correcthorsebatterystaple correct horse battery staple trailproof trail proof audit auditlog log logs siem splunk
  elastic qradar sentinel datadog
  `
    .trim()
    .split(/\s+/),
);
