import { fileURLToPath } from 'node:url'
import js from '@eslint/js'
import hooks from 'eslint-plugin-react-hooks'
import ts from 'typescript-eslint'

const top = fileURLToPath(new URL('../..', import.meta.url))

export default ts.config(
  // The layering fixture is broken on purpose.
  { ignores: ['out/', 'release/', 'node_modules/', 'test-results/', 'native/', 'test/support/layering/'] },
  js.configs.recommended,
  ...ts.configs.recommendedTypeChecked,
  {
    files: ['**/*.{ts,tsx,mts}'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: top } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      // Playwright reads the names of a fixture's parameters from the pattern, an empty one too.
      'no-empty-pattern': ['error', { allowObjectPatternsAsParameters: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      // What may fail later is async from the start, so that it always fails the same way.
      '@typescript-eslint/require-await': 'off',
      // A leading underscore says that a parameter is there only for its position.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }]
    }
  },
  {
    files: ['renderer/**/*.{ts,tsx}', 'test/unit/renderer/**/*.tsx'],
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      // It speaks for the React Compiler, which is not used here.
      'react-hooks/incompatible-library': 'off'
    }
  },
  {
    // A double's methods are passed about, and what a test knows of an answer it may say.
    files: ['test/**'],
    rules: { '@typescript-eslint/unbound-method': 'off', '@typescript-eslint/no-unnecessary-type-assertion': 'off' }
  },
  {
    // Plain JavaScript: set-up runs before there is a node_modules.
    files: ['**/*.{mjs,cjs,js}'],
    ...ts.configs.disableTypeChecked,
    languageOptions: {
      parserOptions: { projectService: false, program: null },
      globals: Object.fromEntries(
        ['process', 'console', 'performance', 'Buffer', 'URL', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'].map((name) => [
          name,
          'readonly'
        ])
      )
    }
  },
  {
    files: ['**/*.cjs', 'scripts/**/*.js'],
    languageOptions: { sourceType: 'commonjs', globals: { require: 'readonly', module: 'readonly', __dirname: 'readonly' } },
    rules: { '@typescript-eslint/no-require-imports': 'off' }
  },
  {
    files: ['renderer/features/**', 'renderer/ui/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'window', message: 'Only renderer/app reaches for the window; take what is needed as a parameter.' }
      ]
    }
  }
)
