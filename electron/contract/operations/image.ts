import { z } from 'zod'
import { Image } from '../models/image'
import { operation } from '../operation'
import { FilePath, Name } from '../values'

export const imageOperations = {
  'image.list': operation({ help: 'list the images machines can be made from, and what is wrong with those that cannot be used', input: z.object({}), result: z.array(Image), reads: true }),
  'image.import': operation({
    help: 'bring in an ISO, a disk image (raw, qcow2, vmdk, vdi, vhdx) or a cloud image',
    input: z.object({
      path: FilePath.meta({ description: 'the file', cli: '<file>' }),
      name: Name.optional().meta({ description: 'its name in the library; by default the file name' }),
      kind: z.enum(['iso', 'disk', 'cloud']).optional().meta({ description: 'by default told from the content' }),
      format: z.enum(['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx', 'vpc']).optional().meta({ description: 'say raw for a raw image whose first bytes look like another format' }),
      reference: z.boolean().default(false).meta({ description: 'leave the file where it is and use it as a read-only base, instead of copying it' })
    }),
    result: Image,
    task: true,
    positional: ['path']
  }),
  'image.find': operation({
    help: 'say where the missing file of an image is now: it is checked to be the very file, and used again',
    input: z.object({
      image: z.string().min(1).meta({ description: 'name or id', cli: '<image>' }),
      path: FilePath.meta({ description: 'where it is', cli: '<file>' }),
      unchecked: z.boolean().default(false).meta({ description: 'take it though it cannot be told whether it was changed since' })
    }),
    result: Image,
    task: true,
    positional: ['image', 'path']
  }),
  'image.remove': operation({
    help: 'remove an image that no machine stands on; a referenced file itself is left alone',
    input: z.object({ image: z.string().min(1).meta({ description: 'name or id', cli: '<image>' }) }),
    result: z.object({ removed: z.string() }),
    positional: ['image']
  })
}
