/**
 * Tokenizers of folders that have a vocabulary and no tokenizer.json: BERT's vocab.txt, GPT-2's vocab.json and merges.txt. What
 * tokenizer_config.json says is honoured as transformers does it, or the folder is refused by the key's name.
 */
import { InputError } from '../../input-error';

export type Json = Record<string, unknown>;

/** What a folder says of its tokenizer besides the vocabulary. */
export interface TokenizerSettings {
  readonly folder: string;
  /** tokenizer_config.json over special_tokens_map.json; empty where there is neither. */
  readonly config: Json;
  /** added_tokens.json. */
  readonly added: Json;
  /** The `model_type` of config.json, which names the tokenizer where `tokenizer_class` does not. */
  readonly modelType?: unknown;
}

interface Kind {
  readonly classes: readonly string[];
  readonly modelTypes: readonly string[];
  readonly special: Readonly<Record<string, string>>;
}

const BERT: Kind = {
  classes: ['BertTokenizer', 'DistilBertTokenizer', 'ElectraTokenizer'],
  modelTypes: ['bert', 'distilbert', 'electra', 'ernie'],
  special: {
    pad_token: '[PAD]',
    unk_token: '[UNK]',
    cls_token: '[CLS]',
    sep_token: '[SEP]',
    mask_token: '[MASK]',
  },
};
const GPT2: Kind = {
  classes: ['GPT2Tokenizer'],
  modelTypes: ['gpt2'],
  special: { unk_token: '<|endoftext|>', bos_token: '<|endoftext|>', eos_token: '<|endoftext|>' },
};

/** The tokenizer.json of a BERT's vocabulary, one token per line. */
export function wordPiece(vocabulary: string, settings: TokenizerSettings): Json {
  const { config } = settings;
  const vocab: Record<string, number> = {};
  for (const [id, token] of vocabulary.split(/\r?\n/).entries()) if (token !== '') vocab[token] = id;
  checkSettings(settings, BERT, { do_basic_tokenize: true, never_split: null, wordpieces_prefix: '##' });
  const special = specialTokens(settings, BERT);
  const [unknown, first, last] = ['unk_token', 'cls_token', 'sep_token'].map((key) =>
    required(key, special, vocab, settings, 'vocab.txt'),
  );
  const template = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  return {
    version: '1.0',
    added_tokens: addedTokens(vocab, special, settings),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: flag(settings, 'tokenize_chinese_chars', true),
      strip_accents: config.strip_accents == null ? null : flag(settings, 'strip_accents', false),
      lowercase: flag(settings, 'do_lower_case', true),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [template(first), { Sequence: { id: 'A', type_id: 0 } }, template(last)],
      pair: [],
      special_tokens: Object.fromEntries(
        [first, last].map((token) => [token, { id: token, ids: [vocab[token]], tokens: [token] }]),
      ),
    },
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: unknown,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** The same for a GPT-2: byte-level pairs, after a line of merges.txt that names its version. */
export function byteLevel(vocab: Json, merges: string, settings: TokenizerSettings): Json {
  const pairs = merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
  checkSettings(settings, GPT2, { add_eos_token: false });
  const special = specialTokens(settings, GPT2);
  const begins = flag(settings, 'add_bos_token', false);
  const first = begins ? required('bos_token', special, vocab, settings, 'vocab.json') : null;
  return {
    version: '1.0',
    added_tokens: addedTokens(vocab, special, settings),
    normalizer: null,
    pre_tokenizer: {
      type: 'ByteLevel',
      add_prefix_space: flag(settings, 'add_prefix_space', false),
      trim_offsets: true,
      use_regex: true,
    },
    post_processor:
      first === null
        ? null
        : {
            type: 'TemplateProcessing',
            single: [{ SpecialToken: { id: first, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
            pair: [],
            special_tokens: { [first]: { id: first, ids: [vocab[first]], tokens: [first] } },
          },
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      vocab,
      merges: pairs.map((line) => line.split(' ')),
    },
  };
}

function refuse({ folder }: TokenizerSettings, why: string): never {
  throw new InputError(`'${folder}': ${why}; put its tokenizer.json there, which says it all, or use --tokens`);
}

/** Refuses other classes of tokenizers, and values of keys other than these. */
function checkSettings(settings: TokenizerSettings, kind: Kind, only: Json): void {
  const { config, modelType } = settings;
  const { tokenizer_class: named } = config;
  const classes = `a tokenizer_class among ${kind.classes.join(', ')}`;
  if (typeof named === 'string') {
    if (!kind.classes.includes(named.replace(/Fast$/, ''))) refuse(settings, `expected ${classes}, got ${named}`);
  } else if (typeof modelType === 'string' && !kind.modelTypes.includes(modelType)) {
    refuse(settings, `expected ${classes}, or a model_type among ${kind.modelTypes.join(', ')}, got ${modelType}`);
  }
  for (const [key, value] of Object.entries({ ...only, split_special_tokens: false })) {
    const found = config[key] ?? value;
    if (found !== value) refuse(settings, `expected ${key} ${JSON.stringify(value)}, got ${JSON.stringify(found)}`);
  }
}

function flag(settings: TokenizerSettings, key: string, fallback: boolean): boolean {
  const value = settings.config[key] ?? fallback;
  if (typeof value === 'boolean') return value;
  return refuse(settings, `expected ${key} to be true or false, got ${JSON.stringify(value)}`);
}

/** The special tokens by their keys, each a text or an object with its content. */
function specialTokens(settings: TokenizerSettings, { special }: Kind): Record<string, string> {
  return Object.fromEntries(
    Object.entries(special).map(([key, fallback]) => {
      const value = settings.config[key] ?? fallback;
      const token: unknown = typeof value === 'object' && value !== null ? (value as Json).content : value;
      if (typeof token === 'string') return [key, token];
      return refuse(settings, `expected ${key} to be a token, got ${JSON.stringify(value)}`);
    }),
  );
}

function required(key: string, special: Json, vocab: Json, settings: TokenizerSettings, file: string): string {
  const token = special[key] as string;
  if (Object.hasOwn(vocab, token)) return token;
  return refuse(settings, `expected ${file} to hold its ${key}, ${JSON.stringify(token)}, got a vocabulary without it`);
}

const PLAIN = { single_word: false, lstrip: false, rstrip: false, normalized: false };

/** Tokens that are found in a text as they are: the special ones, and those that `added_tokens_decoder` lists by their numbers. */
function addedTokens(vocab: Json, special: Json, settings: TokenizerSettings): Json[] {
  const { config, added } = settings;
  const tokens = new Map<string, Json>();
  for (const content of new Set(Object.values(special) as string[])) {
    if (Object.hasOwn(vocab, content)) tokens.set(content, { id: vocab[content], content, special: true, ...PLAIN });
  }
  // Numbers past the vocabulary are given in order, whatever the file says.
  let next = Math.max(-1, ...(Object.values(vocab) as number[])) + 1;
  const listed = Object.entries((config.added_tokens_decoder ?? {}) as Record<string, Json>);
  for (const [key, token] of listed.sort(([a], [b]) => Number(a) - Number(b))) {
    const content = token.content as string;
    const id = Object.hasOwn(vocab, content) ? vocab[content] : next++;
    if (id !== Number(key)) {
      refuse(settings, `expected added_tokens_decoder to number ${JSON.stringify(content)} ${String(id)}, got ${key}`);
    }
    tokens.set(content, { ...PLAIN, ...token, id });
  }
  const extra = [config.additional_special_tokens, config.extra_special_tokens].flat().filter((token) => token != null);
  for (const token of [...Object.keys(added), ...extra]) {
    const content: unknown = typeof token === 'object' ? (token as Json).content : token;
    if (typeof content === 'string' && tokens.has(content)) continue;
    const place = Object.hasOwn(added, String(content)) ? 'added_tokens.json' : 'additional_special_tokens';
    refuse(
      settings,
      `expected the tokens of ${place} in added_tokens_decoder too, got ${JSON.stringify(content)} without it`,
    );
  }
  return [...tokens.values()];
}
