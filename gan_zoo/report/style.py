"""How a report looks: one sheet of style for light and dark, narrow and wide, and for paper.

Every colour of a text has a contrast of at least 4.5 to 1 with every ground that it may stand on (WCAG 2.2, level AA).
"""

LIGHT = {
    "ground": "#f6f5f2",
    "card": "#ffffff",
    "text": "#1d1e22",
    "quiet": "#5a5d66",
    "rule": "#e3e1dc",
    "accent": "#2450c4",
    "good": "#17693f",
    "bad": "#a82f24",
    "note": "#fdf3d7",
    "edge": "#c98a04",
    "shade": "#00000026",
}
DARK = {
    "ground": "#121316",
    "card": "#1b1d22",
    "text": "#e9e9ec",
    "quiet": "#a6aab4",
    "rule": "#30333b",
    "accent": "#93b4ff",
    "good": "#72d19c",
    "bad": "#ff9c8f",
    "note": "#2a2413",
    "edge": "#d9a520",
    "shade": "#000000a0",
}


def _colours(scheme: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in scheme.items())


STYLE = (
    f":root{{color-scheme:light dark;{_colours(LIGHT)}}}"
    f"@media(prefers-color-scheme:dark){{:root{{{_colours(DARK)}}}}}"
    f"@media print{{:root{{color-scheme:light;{_colours(LIGHT)}--ground:#fff;}}}}"
    """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--text);
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
main{max-width:1240px;margin:0 auto;padding:clamp(20px,4vw,52px) clamp(14px,3vw,40px) 48px}
h1,h2,h3,h4,p,ul,dl,figure,pre{margin:0}
h1{font-size:clamp(25px,4.2vw,40px);line-height:1.12;letter-spacing:-.022em;font-weight:680;text-wrap:balance}
h2{font-size:21px;line-height:1.25;letter-spacing:-.012em;font-weight:660;margin:52px 0 4px;scroll-margin-top:12px}
h3{font-size:16px;font-weight:640;margin:26px 0 0}
h4{font-size:14px;font-weight:640;margin:14px 0 8px}
h3 code{font-size:1em;color:var(--accent)}
a{color:var(--accent);text-underline-offset:3px}
code,pre{font:.95em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
.lead,.quiet{color:var(--quiet)}
.lead{max-width:78ch;margin:2px 0 14px}
.kicker{color:var(--quiet);font-size:13px;letter-spacing:.02em;margin-bottom:8px}
.facts{display:flex;flex-wrap:wrap;gap:14px 34px;margin-top:22px}
.facts dt{color:var(--quiet);font-size:12.5px}
.facts dd{margin:0;font-weight:600;font-size:16px}
nav{display:flex;flex-wrap:wrap;gap:4px 20px;margin-top:24px;padding-top:14px;border-top:1px solid var(--rule)}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px}
.first{background:var(--note);border-radius:2px 10px 10px 2px;border-left:4px solid var(--edge);
padding:16px 20px;margin-top:26px}
.first h2{margin:0;font-size:17px}
.first h3{font-size:14px;margin:14px 0 2px}
.first ul{padding-left:19px}
.first li{margin:3px 0;max-width:98ch}
.clear{margin-top:22px;color:var(--quiet)}
.box{overflow-x:auto;margin-top:12px;background:linear-gradient(90deg,var(--card) 40%,transparent) 0/44px 100% local,
linear-gradient(270deg,var(--card) 40%,transparent) 100%/44px 100% local,
linear-gradient(90deg,var(--shade),transparent) 0/13px 100%,
linear-gradient(270deg,var(--shade),transparent) 100%/13px 100%,var(--card);background-repeat:no-repeat}
table{border-collapse:collapse;width:100%;font-size:14.5px}
th,td{padding:10px 16px;text-align:left;vertical-align:baseline;border-top:1px solid var(--rule)}
thead th{border-top:0;color:var(--quiet);font-weight:500;font-size:13px;white-space:nowrap}
tbody th{font-weight:600;white-space:nowrap;overflow-wrap:normal}
thead th:first-child{width:22%}.better{width:10%}
.number{text-align:right;white-space:nowrap}
.value{padding-right:5px}.value b{font-size:16.5px;font-weight:680}
.error-of{padding-left:0;white-space:nowrap}.values{text-align:center}
.value,.change,.better{white-space:nowrap}
.notes{min-width:230px;width:42%}.notes summary{color:var(--quiet);font-size:13px}
.good{color:var(--good)}.bad{color:var(--bad)}
.key{display:flex;flex-wrap:wrap;gap:2px 22px;color:var(--quiet);font-size:13px;margin-top:10px}
summary{cursor:pointer;color:var(--accent);width:fit-content}
details dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:6px 0 2px;font-size:13.5px}
dl dt{color:var(--quiet)}dl dd{margin:0}
.more{margin-top:14px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,290px),1fr));gap:14px;margin-top:14px}
.charts figure{padding:14px 14px 8px}
.charts figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 12px;font-size:13.5px;
padding:0 2px 8px}
svg{display:block;width:100%;height:auto}
.grid{stroke:var(--rule);fill:none}
.axis{stroke:var(--quiet);stroke-opacity:.55;fill:none}
.line{stroke:var(--accent);stroke-width:2;fill:none;stroke-linejoin:round;stroke-linecap:round}
.error{stroke:var(--accent);stroke-opacity:.38;stroke-width:5;stroke-linecap:butt}
.dot{fill:var(--card);stroke:var(--accent);stroke-width:2}
.best{fill:var(--accent)}
.tick{fill:var(--quiet);font-size:11px}
.mark{fill:var(--text);font-size:12px;font-weight:680;paint-order:stroke;stroke:var(--card);stroke-width:4px;
stroke-linejoin:round}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:0 12px}
.wide{grid-template-columns:1fr}
.rows{display:grid;gap:12px;align-content:start}
.narrow{grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr))}
.rows article{padding:12px 14px 14px}
.rows header{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 16px;margin-bottom:8px;font-size:13.5px}
.rows bdi{font-weight:600}
.strip{display:grid;gap:8px;
grid-template-columns:repeat(auto-fill,minmax(max(84px,min(184px,calc((100% - (var(--n) - 1)*8px)/var(--n)))),1fr))}
.strip img{display:block;width:100%;height:auto;border-radius:5px;background:var(--rule);
outline:1px solid var(--rule)}
.strip .coarse{image-rendering:pixelated}
.strip figcaption{color:var(--quiet);font-size:12px;line-height:1.3;padding-top:4px}
pre{padding:14px 16px;white-space:pre-wrap}
.made{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:3px 22px;padding:14px 16px;margin-top:12px;
font-size:14px}
footer{margin-top:44px;padding-top:14px;border-top:1px solid var(--rule);color:var(--quiet);font-size:13px}
@media(max-width:560px){th,td{padding:9px 11px}tbody th{white-space:normal}
.first{padding:14px 15px}.rows article{padding:10px}
details dl,.made{grid-template-columns:1fr;gap:0}.made dd,details dd{margin-bottom:6px}h2{margin-top:42px}}
@media print{body{font-size:11pt}main{max-width:none;padding:0}nav{display:none}article,figure,tr{break-inside:avoid}}
"""
)
