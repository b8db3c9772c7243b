// The dependency rule of the architecture: contract <- core <- main | server | cli; preload and renderer import the contract only.
// test/support/layering holds a tree in which each rule is broken once; a unit test checks that every one is found.
'use strict'

const SYSTEM = '^(node:)?(fs|fs/promises|child_process|net|os|dgram|cluster|worker_threads)$'
const ELECTRON = ['(^|/)node_modules/electron/', '^electron$']

/** @param {string} name @param {string} comment @param {object} from @param {object} to */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    forbid('resolvable', 'Every import leads to a file, a package or a part of Node.', {}, { couldNotResolve: true }),
    forbid(
      'contract-alone',
      'The contract imports itself and the schema library, nothing else.',
      { path: '^electron/contract/' },
      { pathNot: ['^electron/contract/', '(^|/)node_modules/zod/'] }
    ),
    forbid(
      'core-below-shells',
      'The core knows the contract and itself: not Electron, and none of the faces.',
      { path: '^electron/core/' },
      { path: ['^electron/(main|server|cli|preload)/', '^renderer/', ...ELECTRON] }
    ),
    forbid('core-no-cycles', 'Inside the core nothing depends on itself.', { path: '^electron/core/' }, { circular: true }),
    forbid(
      'system-through-host',
      'Only core/host and core/library touch the operating system; the rest of the core goes through them. A type touches nothing.',
      { path: '^electron/core/', pathNot: '^electron/core/(host|library)/' },
      { path: SYSTEM, dependencyTypesNot: ['type-only'] }
    ),
    forbid(
      'main-no-cli',
      'The app knows neither the command line nor its own preload script.',
      { path: '^electron/main/' },
      { path: '^electron/(cli|preload)/' }
    ),
    forbid(
      'server-no-shell',
      'The HTTP API knows the core and the contract, and runs without Electron.',
      { path: '^electron/server/' },
      { path: ['^electron/(main|cli|preload)/', ...ELECTRON] }
    ),
    forbid(
      'cli-no-window',
      'strata runs without Electron.',
      { path: '^electron/cli/' },
      { path: ['^electron/(main|preload)/', ...ELECTRON] }
    ),
    forbid(
      'preload-contract-only',
      'The preload script knows Electron and the contract.',
      { path: '^electron/preload/' },
      { path: '^electron/', pathNot: ['^electron/(contract|preload)/', '^electron$'] }
    ),
    forbid(
      'renderer-contract-only',
      'The window knows the contract, not what is behind it.',
      { path: '^renderer/' },
      { path: '^electron/', pathNot: '^electron/contract/' }
    ),
    forbid('renderer-no-node', 'The window runs without Node and without Electron.', { path: '^renderer/' }, { dependencyTypes: ['core'] }),
    forbid(
      'feature-through-index',
      'A feature imports another one only through its index.ts.',
      { path: '^renderer/features/([^/]+)/' },
      { path: '^renderer/features/', pathNot: ['^renderer/features/$1/', '^renderer/features/[^/]+/index\\.tsx?$'] }
    ),
    forbid(
      'feature-below-app',
      'A feature knows what the app offers all of them (app/index.ts: the gate, the mirrors, places, commands), not the frame that shows it.',
      { path: '^renderer/features/' },
      { path: '^renderer/app/', pathNot: '^renderer/app/index\\.ts$' }
    ),
    forbid(
      'ui-alone',
      'ui is presentation only: it imports no feature and not the app.',
      { path: '^renderer/ui/' },
      { path: '^renderer/(features|app)/' }
    ),
    forbid(
      'product-without-tests',
      'What ships does not import tests or scripts.',
      { path: '^(electron|renderer)/' },
      { path: '^(test|scripts)/' }
    )
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    builtInModules: { add: ['electron'] },
    tsConfig: { fileName: require('node:path').resolve(__dirname, '../../tsconfig.json') },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.css']
    }
  }
}
