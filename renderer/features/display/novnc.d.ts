/** What we use of noVNC 1.7 (docs/API.md); the package has no types. */
declare module '@novnc/novnc' {
  /** A WebSocket, or anything that has its members. */
  export interface RawChannel {
    binaryType: string
    readonly protocol: string
    readonly readyState: 'connecting' | 'open' | 'closing' | 'closed'
    onopen: (() => void) | null
    onmessage: ((event: { data: ArrayBuffer }) => void) | null
    onclose: ((event: { code: number; reason: string }) => void) | null
    onerror: ((event: Event) => void) | null
    send(data: ArrayBuffer | Uint8Array): void
    close(): void
  }
  interface Events {
    connect: CustomEvent<void>
    disconnect: CustomEvent<{ clean: boolean }>
    desktopname: CustomEvent<{ name: string }>
    securityfailure: CustomEvent<{ status: number; reason?: string }>
  }
  export default class RFB {
    constructor(target: HTMLElement, channel: RawChannel, options?: { shared?: boolean })
    viewOnly: boolean
    scaleViewport: boolean
    clipViewport: boolean
    focusOnClick: boolean
    showDotCursor: boolean
    background: string
    qualityLevel: number
    compressionLevel: number
    addEventListener<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): void
    /** Without `down` the key is pressed and let go. */
    sendKey(keysym: number, code: string | null, down?: boolean): void
    focus(options?: FocusOptions): void
    blur(): void
    disconnect(): void
  }
}
