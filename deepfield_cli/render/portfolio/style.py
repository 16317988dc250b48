"""The look of the portfolio: one column, readable on a phone, in the dark and on paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--bg:#fbfaf7;--card:#fff;--ink:#1c1d21;--soft:#62646d;--line:#e4e1d8;--accent:#0b6e63;
--verified:#0b6e63;--verified-bg:#e2f3ef;--confirmed:#2a55b8;--confirmed-bg:#e6edfb;--attested:#8a5a00;--attested-bg:#fdf3dc;
--warn:#a3401f;--l0:#ebe8df;--l1:#bfe0d8;--l2:#7cc3b4;--l3:#359684;--l4:#0b5f55;--s2:#2a55b8;--s3:#9b3d8c}
@media (prefers-color-scheme:dark){:root{--bg:#121316;--card:#1a1c20;--ink:#ecebe6;--soft:#a0a2ab;--line:#2d3036;
--accent:#5fd0bd;--verified:#5fd0bd;--verified-bg:#123530;--confirmed:#93b4ff;--confirmed-bg:#1b2847;--attested:#f0bd5c;
--attested-bg:#372a10;--warn:#ff9b78;--l0:#24272c;--l1:#1d4a43;--l2:#277264;--l3:#3aa08e;--l4:#6fe0cd;--s2:#93b4ff;
--s3:#e39ad6}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,-apple-system,
"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
main,header,footer{max-width:60rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:3.5rem}
.brand{font-size:.78rem;letter-spacing:.14em;text-transform:uppercase;color:var(--accent);font-weight:650;margin:0}
h1{font-size:clamp(2rem,6vw,3.1rem);line-height:1.08;letter-spacing:-.025em;margin:.35rem 0 .5rem;font-weight:720}
h2{font-size:1.35rem;letter-spacing:-.012em;margin:3.25rem 0 .25rem;font-weight:680}
h3{font-size:1.06rem;margin:0;font-weight:640;letter-spacing:-.005em}
h4{font-size:.78rem;margin:1.15rem 0 .35rem;color:var(--soft);font-weight:600;letter-spacing:.02em}
p{margin:.4rem 0}
.lead{color:var(--soft);margin:0 0 1.75rem;max-width:44rem}
.soft{color:var(--soft)}
.small{font-size:.875rem}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.86em}
a{color:inherit;text-decoration-color:var(--accent);text-decoration-thickness:1.5px;text-underline-offset:.18em}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:.75rem;margin:0 0 1.5rem;padding:0;list-style:none}
.tile{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:.9rem 1rem}
.tile b{display:block;font-size:2rem;line-height:1.1;letter-spacing:-.03em;font-weight:700;
font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:.85rem;line-height:1.3;display:block;margin-top:.2rem}
.tile.verified b{color:var(--verified)}.tile.confirmed b{color:var(--confirmed)}.tile.attested b{color:var(--attested)}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.15rem 1.25rem;margin:.85rem 0;
break-inside:avoid}
.head{display:flex;flex-wrap:wrap;gap:.35rem .9rem;align-items:baseline;justify-content:space-between}
.pills{display:flex;flex-wrap:wrap;gap:.4rem;margin:.7rem 0 0;padding:0;list-style:none}
.pill{display:inline-flex;gap:.4em;align-items:baseline;border-radius:99px;padding:.12rem .7rem;font-size:.82rem;
font-weight:560;border:1px solid transparent;white-space:nowrap}
.pill.verified{color:var(--verified);background:var(--verified-bg)}
.pill.confirmed{color:var(--confirmed);background:var(--confirmed-bg)}
.pill.attested{color:var(--attested);background:var(--attested-bg);border:1px dashed currentColor}
.pill.open{color:var(--soft);border-color:var(--line)}
.pill.outdated{color:var(--warn);border-color:currentColor}
.pill small{font-weight:450;font-size:.95em;opacity:.85}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));gap:.4rem 1.5rem}
svg{display:block;width:100%;height:auto;overflow:visible}
.plot{max-height:6.5rem}
.grid{stroke:var(--line);stroke-width:1;stroke-dasharray:2 4}
.line{fill:none;stroke:var(--soft);stroke-width:1.4;stroke-linejoin:round;opacity:.55}
.line.strong{stroke:var(--accent);stroke-width:2;opacity:1}
.mark{stroke:var(--card);stroke-width:1.2}.s1{fill:var(--verified)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}
.tick{font-size:9px;fill:var(--soft)}.plot .tick{font-size:8px}
.day.l0{fill:var(--l0)}.day.l1{fill:var(--l1)}.day.l2{fill:var(--l2)}.day.l3{fill:var(--l3)}.day.l4{fill:var(--l4)}
table{width:100%;border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th{font-weight:600;text-align:left;color:var(--soft);font-size:.78rem;padding:.25rem .75rem .25rem 0;
border-bottom:1px solid var(--line)}
td{padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
td.num,th.num{text-align:right;padding-right:0;padding-left:.75rem}
th,td.key,td.num span{white-space:nowrap}td.num{min-width:6.6rem}
.soft a{text-decoration-color:var(--line)}
.met{color:var(--verified);font-weight:640}.missed{color:var(--warn);font-weight:640}
.rows{list-style:none;margin:.35rem 0 0;padding:0}
.card.rows{padding:.35rem 1.25rem;margin:.85rem 0}
.rows li{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:baseline;padding:.55rem 0;
border-bottom:1px solid var(--line)}
.rows li:last-child{border-bottom:0}
.rows .grow{flex:1 1 14rem}
.bar{height:.5rem;border-radius:99px;background:var(--l0);overflow:hidden;margin:.7rem 0 .4rem}
.bar i{display:block;height:100%;background:var(--accent);border-radius:99px}
.hash{display:block;background:var(--bg);border:1px solid var(--line);border-radius:8px;padding:.55rem .7rem;
margin:.5rem 0;word-break:break-all}
pre{background:var(--bg);border:1px solid var(--line);border-radius:8px;padding:.7rem .8rem;margin:.5rem 0;
white-space:pre-wrap;word-break:break-word}
ol{padding-left:1.2rem;margin:.5rem 0}
footer{padding-top:2.5rem;padding-bottom:3rem;color:var(--soft);font-size:.85rem}
@media (max-width:40rem){header{padding-top:2rem}main,header,footer{padding-left:1rem;padding-right:1rem}
.tiles{grid-template-columns:repeat(2,1fr)}.card{padding:1rem}.card.rows{padding:.25rem 1rem}.tile b{font-size:1.7rem}
.stack thead{display:none}.stack tr{display:block;padding:.45rem 0;border-bottom:1px solid var(--line)}
.stack tr:last-child{border-bottom:0}.stack td{display:flex;justify-content:space-between;gap:1rem;border:0;
padding:.1rem 0}
.stack td::before{content:attr(data-label);color:var(--soft);flex:0 0 auto}
.stack td.num{text-align:right;padding-left:0}
.stack td.wide{display:block}.stack td.wide::before{content:none}.stack.gaps td{display:block}
.stack.gaps td::before{display:block;font-size:.78rem}}
@media print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--accent:#0b6e63;
--verified:#0b6e63;--verified-bg:#fff;--confirmed:#2a55b8;--confirmed-bg:#fff;--attested:#8a5a00;--attested-bg:#fff;
--l0:#eee;--l1:#bfe0d8;--l2:#7cc3b4;--l3:#359684;--l4:#0b5f55;--s2:#2a55b8;--s3:#9b3d8c}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{font-size:10.5pt}header{padding-top:0}main,header,footer{max-width:none;padding-left:0;padding-right:0}
h2{margin-top:1.6rem;break-after:avoid}h3,h4{break-after:avoid}.card,.tile,.rows li,tr{break-inside:avoid}
.pill.verified,.pill.confirmed{border-color:currentColor}a{text-decoration:none}
a[href^="http"]::after{content:" (" attr(href) ")";font-size:.8em;color:#444}@page{margin:16mm 14mm}}
""".strip()
