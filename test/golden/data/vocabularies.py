"""Folders with a vocabulary and tokenizer_config.json, without tokenizer.json, and the tokens that transformers makes with them.

Written beside this script: vocabularies/, one folder a case, and vocabularies.json. Needs transformers 5 and tokenizers:

    python test/golden/data/vocabularies.py
"""

import json
import pathlib
import shutil
import string

import tokenizers
import transformers

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / 'vocabularies'
TEXTS = [
    'Schöne Grüße aus Köln, España ¿qué tal?  café naïve',
    'The quick brown fox jumps over the lazy dog.',
    '你好 world, [CLS] 世界 <new> tokens<new>here and <s> too',
    '  two  spaces\tand a tab ',
]
SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']


def pieces(special):
    letters = sorted(set(''.join(TEXTS)) | set(string.ascii_letters) | set('oaueincs'))
    letters = [letter for letter in letters if not letter.isspace()]
    words = ['the', 'The', 'quick', 'schone', 'schöne', 'Schöne', '##ing', 'cafe', 'café', 'ni', 'tokens', 'too', 'world']
    return special + letters + ['##' + letter for letter in letters] + words


def added(content, special=False, **flags):
    return {'content': content, 'lstrip': False, 'rstrip': False, 'single_word': False, 'normalized': False, 'special': special} | flags


OTHER = ['<pad>', '<unk>', '<s>', '</s>', '<mask>']
NAMES = dict(zip(['pad_token', 'unk_token', 'cls_token', 'sep_token', 'mask_token'], OTHER))
# What tokenizer_config.json says, the special tokens of the vocabulary, and special_tokens_map.json.
BERTS = {
    'bert-plain': ({}, SPECIAL, None),
    'bert-cased': ({'do_lower_case': False}, SPECIAL, None),
    'bert-keeps-accents': ({'do_lower_case': True, 'strip_accents': False}, SPECIAL, None),
    'bert-strips-accents': ({'do_lower_case': False, 'strip_accents': True}, SPECIAL, None),
    'bert-chinese-words': ({'tokenize_chinese_chars': False}, SPECIAL, None),
    'bert-other-names': (NAMES, OTHER, None),
    'bert-names-in-the-map': ({}, OTHER, NAMES),
    'bert-added': ({'added_tokens_decoder': {str(i): added(token, True) for i, token in enumerate(SPECIAL)} | {'158': added('<new>')}}, SPECIAL, None),
}
GPT2S = {
    'gpt2-plain': {},
    'gpt2-prefix-space': {'add_prefix_space': True},
    'gpt2-begins': {'add_bos_token': True},
    'gpt2-other-names': {'bos_token': '<s>', 'eos_token': '<s>', 'unk_token': '<s>', 'add_bos_token': True},
}


def folder(name, config):
    path = FOLDER / name
    path.mkdir(parents=True)
    kind = 'BertTokenizer' if name.startswith('bert') else 'GPT2Tokenizer'
    (path / 'tokenizer_config.json').write_text(json.dumps(config | {'tokenizer_class': kind}))
    return path


def tokens(path, cls):
    tokenizer = cls.from_pretrained(path)
    return [tokenizer(text)['input_ids'] for text in TEXTS]


if __name__ == '__main__':
    shutil.rmtree(FOLDER, ignore_errors=True)
    cases = {}
    for name, (config, special, names) in BERTS.items():
        path = folder(name, config)
        (path / 'vocab.txt').write_text('\n'.join(pieces(special)) + '\n')
        if names:
            (path / 'special_tokens_map.json').write_text(json.dumps(names))
        cases[name] = tokens(path, transformers.BertTokenizer)
    pairs = tokenizers.implementations.ByteLevelBPETokenizer()
    pairs.train_from_iterator(TEXTS, vocab_size=290, min_frequency=1, special_tokens=['<|endoftext|>', '<s>'])
    for name, config in GPT2S.items():
        path = folder(name, config)
        pairs.save_model(str(path))
        cases[name] = tokens(path, transformers.GPT2Tokenizer)
    made = f'test/golden/data/vocabularies.py with transformers {transformers.__version__}, tokenizers {tokenizers.__version__}'
    (HERE / 'vocabularies.json').write_text(json.dumps({'made by': made, 'texts': TEXTS, 'tokens': cases}) + '\n')
    for name, ids in cases.items():
        print(name, ids[0][:12], ids[2])
