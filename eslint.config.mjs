import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import typescript from 'typescript-eslint';

/**
 * The rooms of lib in their order: each may import only the rooms that its line names (types too), so that no two import each
 * other. Files at the foot of lib (errors, work under way, statistics) are open to all and import no room. TensorFlow's
 * packages belong to `tensor`; only `report` knows that there is a screen.
 */
const rooms = {
  tensor: [],
  data: ['tensor'],
  rank: ['tensor'],
  models: ['tensor', 'data'],
  features: ['tensor', 'data', 'rank', 'models'],
  memorization: ['tensor', 'data', 'rank'],
  report: [],
  experiments: ['tensor', 'data', 'rank', 'models', 'features', 'memorization'],
  doctor: ['tensor', 'data'],
  cli: ['tensor', 'data', 'rank', 'models', 'features', 'memorization', 'report', 'experiments', 'doctor'],
};
/** The files of an experiment that draw what the others measure. */
const drawn = ['tables', 'figures', 'findings'].map((name) => `lib/experiments/**/${name}.ts`);

const doors = (files, own, open, packages) => {
  const closed = Object.keys(rooms).filter((other) => other !== own && !open.includes(other));
  const patterns = [
    {
      regex: `^(\\.\\./)+(${closed.join('|')})(/|$)`,
      message: `may import only ${open.join(', ') || 'no other room'}`,
    },
    ...packages,
  ];
  return { files, rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] } };
};
const noTensorFlow = { regex: '^@tensorflow/', message: "import tf from '../tensor'" };
const noScreen = { regex: '^(danfojs-node|plotly|tslab)', message: 'only lib/report knows that there is a screen' };
const doorsBetweenRooms = [
  doors(['lib/*.ts'], undefined, [], [noTensorFlow, noScreen]),
  ...Object.entries(rooms).map(([room, open]) =>
    doors(
      [`lib/${room}/**/*.ts`],
      room,
      open,
      [room !== 'tensor' && noTensorFlow, room !== 'report' && noScreen].filter(Boolean),
    ),
  ),
  doors(drawn, 'experiments', [...rooms.experiments, 'report'], [noTensorFlow]),
];

const nodeGlobals = [
  'process',
  'console',
  'URL',
  'Buffer',
  'fetch',
  'performance',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'queueMicrotask',
  'TextDecoder',
  'TextEncoder',
  'AbortController',
  'structuredClone',
];

export default defineConfig(
  {
    ignores: [
      '**/dist/',
      '**/node_modules/',
      '.venv/',
      '.jupyter/',
      'data/cache/',
      'reports/',
      'site/',
      'shims/**/*.d.ts',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [typescript.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // an assertion such as `as tf.Tensor3D` says which rank is meant, also where the compiler would not ask
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      // interfaces of plain records of functions are written with methods here
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // golden values and other modules' answers are read as they come
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      // node:test runs what test() and describe() return
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
    },
  },
  ...doorsBetweenRooms,
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])) },
  },
  {
    files: ['**/*.{js,cjs}'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        require: 'readonly',
        module: 'writable',
        exports: 'writable',
        __dirname: 'readonly',
        __filename: 'readonly',
      },
    },
  },
  // runs in the browser that shows a report, after plotly.js
  { files: ['jupyter/templates/**/*.js'], languageOptions: { sourceType: 'script' }, rules: { 'no-undef': 'off' } },
);
