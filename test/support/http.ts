import { request, type IncomingHttpHeaders } from 'node:http'

export interface Asked {
  socketPath?: string
  port?: number
  method?: string
  path: string
  headers?: Record<string, string>
  body?: string | Buffer
}
export interface Answered {
  status: number
  headers: IncomingHttpHeaders
  text: string
  json(): unknown
}

/** One request over a connection of its own, and its whole answer. */
export function ask({ body, method = body === undefined ? 'GET' : 'POST', ...rest }: Asked): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: rest.port === undefined ? undefined : '127.0.0.1', method, agent: false, ...rest }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) as unknown })
      })
    })
    sent.once('error', reject)
    sent.end(body)
  })
}
