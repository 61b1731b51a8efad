/** The id a team gets from its name, as the service makes it: `Acme Inc.` → `acme-inc`. */
export function teamIdOf(name: string): string {
  const words = name
    .normalize('NFC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  return words ? words.join('-').slice(0, 128) : '';
}
