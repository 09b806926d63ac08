// Draws the figures of a report and keeps them in the page's colours.
(() => {
  /** Fits A4 and Letter inside of their margins, in CSS pixels. */
  const PAPER_WIDTH = 640;
  const templates = JSON.parse(document.getElementById('plotly-templates').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const plots = [...document.querySelectorAll('.plot')].map((element) => ({
    element,
    drawing: element.querySelector('.drawing'),
    spec: JSON.parse(element.querySelector('script').textContent),
  }));

  // plotly lies in the page as a packed text; nothing is drawn before it is unpacked.
  const library = (async () => {
    const packed = document.getElementById('plotly-library');
    if (packed === null) return;
    const bytes = Uint8Array.from(atob(packed.textContent), (letter) => letter.charCodeAt(0));
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    const script = document.createElement('script');
    script.textContent = await new Response(unpacked).text();
    document.head.append(script);
    packed.remove();
  })();

  // plotly draws in layers: the first stands for the picture, the buttons above it stay reachable.
  const describe = (drawing) => {
    const [first, ...others] = drawing.querySelectorAll('.main-svg');
    first.setAttribute('role', 'img');
    first.setAttribute('aria-label', drawing.dataset.alt);
    for (const layer of others) layer.setAttribute('aria-hidden', 'true');
  };
  const draw = async ({ element, drawing, spec }, page, width) => {
    const small = element.hasAttribute('data-small');
    const layout = { ...spec.layout, template: templates[page] };
    // The title stands above the drawing, where it wraps.
    delete layout.title;
    if (layout.margin?.t === undefined) layout.margin = { ...layout.margin, t: 24 };
    if (small) {
      layout.showlegend = false;
      layout.annotations = [];
      layout.margin = { l: 30, r: 8, t: 8, b: 24 };
      delete layout.height;
      delete layout.width;
      const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
      for (const axis of axes)
        layout[axis] = { ...layout[axis], title: undefined, tickfont: { size: 9 }, showticklabels: axes.length <= 2 };
    }
    // Known to the page before plotly has measured anything: what follows stands below the drawing.
    if (layout.height !== undefined) drawing.style.height = `${layout.height}px`;
    if (width !== undefined && !small) layout.width = width;
    await library;
    await Plotly.react(drawing, spec.data, layout, {
      responsive: true,
      staticPlot: small,
      displaylogo: false,
      modeBarButtonsToRemove: ['lasso2d', 'select2d'],
      toImageButtonOptions: { format: 'svg', filename: element.dataset.name },
    });
    describe(drawing);
  };
  const drawAll = (page, width) =>
    Promise.all(
      plots.map((plot) =>
        draw(plot, page, width).catch((error) => {
          plot.drawing.textContent = `This figure could not be drawn: ${error.message}`;
          throw error;
        }),
      ),
    );
  const here = () => (dark.matches ? 'dark' : 'light');

  drawAll(here()).then(() => document.documentElement.setAttribute('data-drawn', String(plots.length)));
  dark.addEventListener('change', () => drawAll(here()));
  addEventListener('beforeprint', () => drawAll('light', PAPER_WIDTH));
  addEventListener('afterprint', () => drawAll(here()));
  for (const plot of plots) {
    plot.element.querySelector('[data-save]')?.addEventListener('click', async () => {
      // Papers are white.
      await draw(plot, 'light');
      const { width, height } = plot.drawing.getBoundingClientRect();
      await Plotly.downloadImage(plot.drawing, { format: 'svg', filename: plot.element.dataset.name, width, height });
      await draw(plot, here());
    });
  }
})();
