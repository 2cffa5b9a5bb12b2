import { styleDiagram } from "./svg.js";
import { declareTheme } from "./theme.js";

/** The style of the report's page. Colours are variables, so the diagrams follow the page's theme. */
export const pageStyle = `
:root{color-scheme:light dark;${declareTheme("light")}}
@media (prefers-color-scheme:dark){:root{${declareTheme("dark")}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1.25rem 4rem;max-width:76rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.35rem;margin:2.5rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--line)}
p{margin:.5rem 0;max-width:48rem}
a{color:var(--link)}
a:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999rem}
.skip:focus{position:static}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:1rem 0 0;padding:0}
figure{margin:1rem 0}
figcaption{color:var(--muted);font-size:.9rem}
.wide{overflow-x:auto}
svg{display:block;margin-bottom:.5rem}
table{border-collapse:collapse;width:100%;min-width:34rem;margin:1rem 0;font-size:.95rem}
caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem .5rem;border-bottom:1px solid var(--line)}
thead th{background:var(--panel)}
tbody th{font-weight:600;white-space:nowrap}
code{font-family:ui-monospace,"DejaVu Sans Mono","Liberation Mono",monospace;font-size:.85em}
a[href^="#line-"]{white-space:nowrap}
.error,.warning{padding:.1rem .4rem;border:1px solid var(--line);border-radius:.25rem}
.error{background:var(--closed)}
.warning{background:var(--step)}
.ruleset{table-layout:fixed;min-width:44rem}
.ruleset code{overflow-wrap:anywhere}
.ruleset th:first-child{width:3.6rem}
.ruleset th:last-child,.ruleset td:last-child{width:14rem;font-size:.85rem}
.ruleset tbody th{font-weight:400;color:var(--muted);text-align:right;font-variant-numeric:tabular-nums}
.ruleset th,.ruleset td{vertical-align:baseline;padding-top:.1rem;padding-bottom:.1rem;border-bottom-color:var(--panel)}
.ruleset thead th{text-align:left}
.in-1,.in-2{display:inline-block}
.in-1{padding-left:1.5rem}
.in-2{padding-left:3rem}
tr:target>*{background:var(--step)}
tr:target>th{box-shadow:inset 4px 0 var(--link)}
@media print{
:root{color-scheme:light;${declareTheme("light")}}
body{max-width:none;padding:0;font-size:10pt}
nav,.skip{display:none}
a{color:inherit;text-decoration:none}
.wide{overflow:visible}
svg{max-width:100%;height:auto}
h2{break-after:avoid}
.gate+*{break-before:page}
tr,figure,table:not(.ruleset){break-inside:avoid}
table,.ruleset{min-width:0}
.ruleset{font-size:8pt}
thead{display:table-header-group}
.error,.warning{background:none}
}
${styleDiagram((colour) => `var(--${colour})`)}
`;
