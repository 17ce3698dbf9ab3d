// Only a convenience: without it the page says the same in words and tables.
for (const figure of document.querySelectorAll("figure.equity")) {
  const data = figure.querySelector("script");
  if (!data) continue;
  const rows = JSON.parse(data.textContent), out = figure.querySelector("output");
  const charts = [...figure.querySelectorAll(".chart")], lines = charts.map(c => c.querySelector(".crosshair"));
  const show = event => {
    const box = charts[0].getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const index = Math.round(share * (rows.length - 1));
    out.textContent = rows[index];
    for (const line of lines) {
      line.setAttribute("x1", share * 100 + "%");
      line.setAttribute("x2", share * 100 + "%");
      line.setAttribute("visibility", "visible");
    }
  };
  const hide = () => { out.textContent = ""; lines.forEach(line => line.setAttribute("visibility", "hidden")); };
  for (const chart of charts) {
    chart.addEventListener("pointermove", show);
    chart.addEventListener("pointerdown", show);
    chart.addEventListener("pointerleave", hide);
  }
}
