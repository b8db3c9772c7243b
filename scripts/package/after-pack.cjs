// Electron's own default app would be a second thing that the packaged program can be made to load.
'use strict'
const { rmSync } = require('node:fs')
const path = require('node:path')

module.exports = (context) => rmSync(path.join(context.appOutDir, 'resources/default_app.asar'), { force: true })
