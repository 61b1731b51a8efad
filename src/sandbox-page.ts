/** The sandbox's page: one table, refreshed every second, with a switch per SIEM. No asset, no other origin. */
export const sandboxPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Trailproof sandbox</title>
<style>
:root{color-scheme:light dark;--line:light-dark(#dfe2e6,#34383e);--dim:light-dark(#5c636a,#a6a6a6);--bad:light-dark(#a61e1e,#ff8787)}
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2.5rem auto;padding:0 1.25rem}
h1{font-size:1.35rem;margin:0}p{color:var(--dim);margin:.25rem 0 1.5rem;max-width:46rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.55rem .75rem .55rem 0;border-bottom:1px solid var(--line)}
th{font-weight:500;color:var(--dim)}th.n+th:not(.n),td.n+td:not(.n){padding-left:1.5rem}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bad{color:var(--bad)}select,button{font:inherit;padding:.15rem .4rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);border-radius:6px;padding:.9rem;font-size:13px;max-height:28rem;overflow:auto}
</style>
<h1>Sandbox</h1>
<p>Stand-ins for the SIEMs. Each shows what it received, counted on its own side. Make one misbehave and watch Trailproof hold, then catch up.</p>
<div class="scroll"><table><thead><tr><th>SIEM<th class="n">Requests<th class="n">Events<th class="n">Different ids<th class="n">Repeats<th class="n">Refused<th>Behaves<th></tr></thead><tbody id="rows"></tbody></table></div>
<h2 id="title" style="font-size:1.05rem;margin:2rem 0 .5rem" hidden></h2><pre id="received" tabindex="0" role="region" aria-label="Received events" hidden></pre>
<p id="lost" role="status" class="bad"></p>
<script>
const faults=[['','normally'],['busy','is busy'],['throttle','asks to slow down'],['error','answers 500'],['unauthorized','rejects the credential'],['forbidden','lacks permission'],['reject_items','refuses every 10th event'],['reset','cuts connections'],['hang','never answers'],['html','answers with a web page']];
const rows=document.getElementById('rows'),lost=document.getElementById('lost');
const set=(kind,fault)=>fetch('/'+kind+'/fault',{method:fault?'PUT':'DELETE',headers:{'content-type':'application/json'},body:fault?JSON.stringify({kind:fault,...(fault==='reject_items'?{every:10}:{})}):undefined}).then(draw);
async function show(kind,title){const {items}=await(await fetch('/'+kind+'/received?limit=20')).json();const t=document.getElementById('title'),p=document.getElementById('received');t.hidden=p.hidden=false;t.textContent='Newest at '+title;p.textContent=items.map(i=>JSON.stringify(i.record,null,2)).join('\\n\\n')||'Nothing yet.'}
async function draw(){let s;try{s=await(await fetch('/sandbox.json')).json();lost.textContent=''}catch{lost.textContent='The sandbox does not answer; the numbers above are from before.';return}
for(const {kind,title,counts:c,fault} of s.standIns){let r=document.getElementById(kind);if(!r){r=document.createElement('tr');r.id=kind;
const cell=(n)=>{const d=r.insertCell();d.className=n?'n':'';return d};cell().textContent=title;for(let i=0;i<5;i++)cell(1);
const sel=document.createElement('select');sel.setAttribute('aria-label','How '+title+' behaves');for(const [v,t] of faults)sel.add(new Option(t,v));sel.onchange=()=>set(kind,sel.value);cell().append(sel);
const b=document.createElement('button');b.textContent='Show events';b.onclick=()=>show(kind,title);cell().append(b);rows.append(r)}
[c.requests,c.events,c.distinct,c.duplicates+c.ignoredDuplicates,c.rejected].forEach((v,i)=>r.cells[i+1].textContent=v.toLocaleString('en-US'));
const sel=r.querySelector('select');if(document.activeElement!==sel)sel.value=fault?.kind??''}}
draw();setInterval(draw,1000);
</script></html>
`;
