/**
 * Tokenizers of folders without tokenizer.json against transformers', for what tokenizer_config.json may say; how the values were
 * made: test/golden/data/vocabularies.py.
 */
import { strict as assert } from 'node:assert';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readTokenizer } from 'attention-capacity/data';
import { InputError } from 'attention-capacity/input-error';
import { golden } from '../expected';

const { texts, tokens } = JSON.parse(readFileSync(golden('vocabularies.json'), 'utf8')) as {
  texts: string[];
  tokens: Record<string, number[][]>;
};
const folder = mkdtempSync(join(tmpdir(), 'vocabularies-'));
after(() => rmSync(folder, { recursive: true }));

for (const [name, ids] of Object.entries(tokens)) {
  test(`${name}: the tokens that transformers makes`, async () => {
    const { before, after: behind, encode } = await readTokenizer(golden('vocabularies', name));
    texts.forEach((text, i) => assert.deepEqual([...before, ...encode(text), ...behind], ids[i], text));
  });
}

let copies = 0;
/** A copy with other files: objects as JSON, texts as they are. */
function changed(name: string, files: Record<string, object | string>): string {
  const copy = join(folder, String(copies++));
  cpSync(golden('vocabularies', name), copy, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(copy, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return copy;
}

test('what is not honoured is refused by its name', async () => {
  const config = (name: string, keys: object) => changed(name, { 'tokenizer_config.json': keys });
  const added = { '7000': { content: '<far>', special: false } };
  const cases: [string, RegExp][] = [
    [changed('bert-plain', { 'vocab.txt': 'a\nb\n[UNK]\n' }), /vocab\.txt to hold its cls_token, "\[CLS\]"/],
    [changed('bert-plain', { 'vocab.txt': '[CLS]\n[UNK]\na\n' }), /vocab\.txt to hold its sep_token, "\[SEP\]"/],
    [changed('bert-plain', { 'vocab.txt': '[CLS]\n[SEP]\na\n' }), /vocab\.txt to hold its unk_token, "\[UNK\]"/],
    [config('bert-other-names', { cls_token: '<s>', unk_token: '<unk>' }), /hold its sep_token, "\[SEP\]"/],
    [config('bert-plain', { tokenizer_class: 'BertJapaneseTokenizer' }), /tokenizer_class among .*, got BertJapanese/],
    [config('bert-plain', { do_basic_tokenize: false }), /expected do_basic_tokenize true, got false/],
    [config('bert-plain', { never_split: ['a'] }), /expected never_split null, got \["a"\]/],
    [config('bert-plain', { strip_accents: 'no' }), /expected strip_accents to be true or false, got "no"/],
    [config('bert-plain', { do_lower_case: 1 }), /expected do_lower_case to be true or false, got 1/],
    [config('bert-plain', { cls_token: 3 }), /expected cls_token to be a token, got 3/],
    [config('bert-plain', { added_tokens_decoder: added }), /added_tokens_decoder to number "<far>" 158, got 7000/],
    [config('bert-plain', { additional_special_tokens: ['<x>'] }), /additional_special_tokens in added_tokens_decoder/],
    [changed('bert-plain', { 'added_tokens.json': { '<x>': 158 } }), /added_tokens\.json in added_tokens_decoder/],
    [
      config('gpt2-plain', { tokenizer_class: 'RobertaTokenizerFast' }),
      /among GPT2Tokenizer, got RobertaTokenizerFast/,
    ],
    [config('gpt2-plain', { add_eos_token: true }), /expected add_eos_token false, got true/],
    [config('gpt2-plain', { add_bos_token: true, bos_token: '<none>' }), /hold its bos_token, "<none>"/],
    [
      changed('gpt2-plain', { 'tokenizer_config.json': {}, 'config.json': { model_type: 'roberta' } }),
      /model_type among gpt2, got roberta/,
    ],
    [
      changed('bert-plain', { 'tokenizer_config.json': {}, 'config.json': { model_type: 'mpnet' } }),
      /model_type among bert, distilbert, electra, ernie, got mpnet/,
    ],
  ];
  for (const [path, message] of cases) {
    await assert.rejects(
      readTokenizer(path),
      (error: Error) => error instanceof InputError && message.test(error.message) && !error.message.includes('\n'),
      String(message),
    );
  }
});

test('a folder that says nothing else is read by its model_type, and added tokens that are listed twice once', async () => {
  const plain = changed('bert-plain', { 'tokenizer_config.json': {}, 'config.json': { model_type: 'electra' } });
  const listed = changed('bert-added', { 'added_tokens.json': { '<new>': 158 } });
  for (const [path, name] of [
    [plain, 'bert-plain'],
    [listed, 'bert-added'],
  ]) {
    const { before, after: behind, encode } = await readTokenizer(path);
    texts.forEach((text, i) => assert.deepEqual([...before, ...encode(text), ...behind], tokens[name][i]));
  }
});
