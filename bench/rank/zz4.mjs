import { normal, attention } from './matrices.mjs';
import rank from 'attention-capacity/rank/index';
const f=normal(); const s=performance.now(); const r=await rank.testKruskalRank(f,{k:768,draws:400,seed:0,rtol:'float32',sigmaDraws:0}); console.log('pass',(performance.now()-s)/400, r.decidedBy, r.satisfied);
