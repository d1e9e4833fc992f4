import js from '@eslint/js'
import globals from 'globals'

export default [
  { ignores: ['target/', 'benches/native/target/', 'pkg/', '**/node_modules/'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: 'module' },
    rules: {
      eqeqeq: 'error',
      'no-implicit-coercion': ['error', { boolean: false }],
      'no-throw-literal': 'error',
      'no-unused-vars': ['error', { args: 'after-used' }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['.ci/**', 'examples/**', 'js-tests/**', 'benches/**'], languageOptions: { globals: globals.node } },
  { files: ['www-demo/**', 'js-tests/**'], languageOptions: { globals: globals.browser } },
  { files: ['pkg-template/**'], languageOptions: { globals: globals['shared-node-browser'] } },
  { files: ['pkg-template/assemble.mjs'], languageOptions: { globals: globals.node } },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs', globals: globals.node } },
  { files: ['**/*.worker.{js,mjs}', '**/worker.{js,mjs}', '**/sw.js'], languageOptions: { globals: globals.worker } },
]
