import { pageOfCell } from './notebook';
import { showProgress } from './progress';

export { type Cell, type Column, type Figure, type Format, type Row, type Table, figure, table } from './display';
export { duration, formatNumber, type NumberFormat } from './format';
export { showProgress } from './progress';
export { headline, say, show } from './show';
export { colours, neutral } from './theme';

// A notebook that imports the library shows the progress of long work; programs decide for themselves.
if (pageOfCell()) showProgress();
