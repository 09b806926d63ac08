// Draws the figures of a report and keeps them in the page's colours.
(() => {
  /** Fits A4 and Letter inside of their margins, in CSS pixels. */
  const PAPER_WIDTH = 640;
  /** A drawing with its title and caption is no higher than a page. */
  const PAPER_HEIGHT = 800;
  /** Figures of the front page are no higher. */
  const FRONT_HEIGHT = 460;
  /** A saved figure is at least this wide: its caption is broken into lines for it. */
  const SAVED_WIDTH = 720;
  const templates = JSON.parse(document.getElementById('plotly-templates').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const phone = matchMedia('(max-width: 599px)');
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
  /** Without title and caption: they stand above and below the drawing, where they wrap. */
  const bare = (whole) => {
    const layout = { ...whole, annotations: (whole.annotations ?? []).filter(({ name }) => name !== 'caption') };
    delete layout.title;
    const caption = layout.meta?.caption ?? 0;
    if (caption > 0) {
      layout.height -= caption;
      layout.margin = { ...layout.margin, b: layout.margin.b - caption };
    }
    if (layout.margin?.t === undefined) layout.margin = { ...layout.margin, t: 24 };
    return layout;
  };
  /** Room for the title and the labels of a panel. */
  const GAP = 80;
  /** For a phone: panels one below the other, each with the labels of its own axis; names of rows stand above their rows. */
  const narrow = (layout) => {
    const axes = (letter) => Object.keys(layout).filter((name) => new RegExp(`^${letter}axis\\d*$`).test(name));
    if (layout.meta?.panels) {
      const { count, height } = layout.meta.panels;
      layout.grid = { ...layout.grid, rows: count, columns: 1, ygap: GAP / (height + GAP) };
      layout.height = 110 + (height + GAP / 2) * count;
      if (layout.legend?.y > 1) layout.legend = { ...layout.legend, y: 1 + 50 / (height * count) };
      for (const axis of axes('y')) layout[axis] = { ...layout[axis], showticklabels: true };
      // Stacked panels share the title below the last.
      const last = layout[`xaxis${count > 1 ? count : ''}`]?.title?.text;
      for (const axis of axes('x').slice(0, -1))
        if (layout[axis].title?.text === last) layout[axis] = { ...layout[axis], title: undefined };
    }
    layout.margin = { ...layout.margin, l: 48, r: 12 };
    for (const axis of axes('x')) layout[axis] = { ...layout[axis], tickfont: { size: 11 } };
    for (const axis of axes('y').filter((name) => layout[name].categoryarray)) {
      const inside = { ticklabelposition: 'inside top', ticks: '', tickfont: { size: 11 }, automargin: false };
      layout[axis] = { ...layout[axis], ...inside };
      layout.margin.l = 8;
    }
  };
  const draw = async ({ element, drawing, spec }, page, width) => {
    const { size } = element.dataset;
    const small = size === 'small';
    const layout = { ...bare(spec.layout), template: templates[page] };
    if (phone.matches && width === undefined && !small) narrow(layout);
    if (width !== undefined && layout.height > PAPER_HEIGHT) layout.height = PAPER_HEIGHT;
    if (size === 'front') layout.height = Math.min(layout.height ?? FRONT_HEIGHT, FRONT_HEIGHT);
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
      ...spec.config,
      // The button below the figure saves it with its title and caption.
      modeBarButtonsToRemove: [...(spec.config?.modeBarButtonsToRemove ?? []), 'toImage'],
      responsive: true,
      staticPlot: size !== undefined,
    });
    describe(drawing);
  };
  /** `data-drawn` counts the figures that are drawn. */
  const drawAll = async (page, width) => {
    const drawn = plots.map((plot) =>
      draw(plot, page, width).catch((error) => {
        plot.drawing.textContent = `This figure could not be drawn: ${error.message}`;
        throw error;
      }),
    );
    await Promise.all(drawn);
    document.documentElement.setAttribute('data-drawn', String(plots.length));
  };
  const drawHere = () => drawAll(dark.matches ? 'dark' : 'light');
  drawHere();
  dark.addEventListener('change', drawHere);
  phone.addEventListener('change', drawHere);

  // Paper shows all of every table.
  const folded = [...document.querySelectorAll('details.long')];
  addEventListener('beforeprint', () => {
    for (const details of folded) {
      details.dataset.was = String(details.open);
      details.open = true;
    }
    drawAll('light', PAPER_WIDTH);
  });
  addEventListener('afterprint', () => {
    for (const details of folded) details.open = details.dataset.was === 'true';
    drawHere();
  });

  // Papers are white. The title begins with the figure's number, as on the page.
  const save = async ({ element, drawing, spec }) => {
    const title = { ...spec.layout.title, text: element.querySelector('figcaption.title').innerHTML };
    const layout = { ...spec.layout, title };
    const width = Math.max(drawing.clientWidth, SAVED_WIDTH);
    const height = layout.height ?? drawing.clientHeight;
    const address = await Plotly.toImage({ data: spec.data, layout }, { format: 'svg', width, height });
    const svg = decodeURIComponent(address.slice(address.indexOf(',') + 1));
    const about = [
      ['title', element.querySelector('figcaption.title').textContent],
      ['desc', drawing.dataset.alt],
    ].map(([tag, text]) => {
      const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
      node.textContent = text;
      return new XMLSerializer().serializeToString(node);
    });
    const link = document.createElement('a');
    link.download = `${element.dataset.name}.svg`;
    link.href = URL.createObjectURL(
      new Blob([svg.replace(/<svg [^>]*>/, (tag) => tag + about.join(''))], { type: 'image/svg+xml' }),
    );
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  for (const plot of plots) plot.element.querySelector('[data-save]')?.addEventListener('click', () => save(plot));
})();
