/** What features may use of the app. The rest of this folder composes features and is not for them. */
export { bridge, call, openBridge, shell } from './bridge'
export { openStream, type ByteChannel } from './stream'
