import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import typescript from 'typescript-eslint';

/**
 * The rooms of lib and what each may import (types are free): arrows go one way only, and nothing but `report` knows that
 * there is a screen. TensorFlow's packages belong to `tensor` alone.
 */
const rooms = {
  tensor: [],
  data: ['tensor'],
  models: ['tensor', 'data'],
  rank: ['tensor'],
  memorization: ['tensor', 'data', 'rank'],
};

const doorsBetweenRooms = Object.entries(rooms).map(([room, open]) => {
  const closed = [...Object.keys(rooms), 'report', 'cli', 'doctor'].filter(
    (other) => other !== room && !open.includes(other),
  );
  const patterns = [
    {
      regex: `^(\\.\\./)+(${closed.join('|')})(/|$)`,
      message: `lib/${room} may import only ${open.join(', ') || 'no other room'}`,
      allowTypeImports: true,
    },
    {
      regex: '^(danfojs-node|plotly|tslab)',
      message: 'only lib/report knows that there is a screen',
      allowTypeImports: true,
    },
  ];
  if (room !== 'tensor')
    patterns.push({ regex: '^@tensorflow/', message: "import tf from '../tensor'", allowTypeImports: true });
  return {
    files: [`lib/${room}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  };
});

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
  { ignores: ['**/dist/', '**/node_modules/', '.venv/', '.jupyter/', 'data/cache/', 'reports/', 'shims/**/*.d.ts'] },
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
