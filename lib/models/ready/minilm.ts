import { cacheFolder, readSource, sourceFiles } from '../../data';
import { InputError } from '../../input-error';
import { huggingFaceTextModel } from '../hugging-face/open-model';
import type { TextModel } from '../model';

/** The folder, below `data/cache`, as `data/sources.json` names it. */
const FOLDER = 'language/all-MiniLM-L6-v2';

/**
 * The trained language model that `npm run setup` fetches: all-MiniLM-L6-v2, a BERT of 6 layers and d = 384 that was
 * distilled from a larger one and trained to embed sentences.
 *
 * @throws InputError when one of its files is missing or damaged.
 */
export async function trainedMiniLM(): Promise<TextModel> {
  const files = (await sourceFiles('language')).filter(({ file }) => file.startsWith(`${FOLDER}/`));
  if (files.length === 0) {
    throw new InputError(
      `expected data/sources.json to list ${FOLDER}, and it does not; restore the file from the repository`,
    );
  }
  for (const file of files) await readSource(file);
  return {
    ...huggingFaceTextModel(cacheFolder(...FOLDER.split('/')), 'trained-minilm'),
    title: 'MiniLM, a trained BERT',
  };
}
