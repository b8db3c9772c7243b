import { create } from 'zustand'
import type { Image } from '#contract'

interface Images {
  loaded: boolean
  byId: Readonly<Record<string, Image>>
}

export const useImages = create<Images>(() => ({ loaded: false, byId: {} }))

export const imagesMirror = {
  read: 'image.list',
  replace: (images: Image[]) => useImages.setState({ loaded: true, byId: Object.fromEntries(images.map((image) => [image.id, image])) }),
  upsert: (image: Image) => useImages.setState(({ byId }) => ({ byId: { ...byId, [image.id]: image } })),
  remove: (id: string) =>
    useImages.setState(({ byId }) => {
      if (!(id in byId)) return {}
      const { [id]: _removed, ...rest } = byId
      return { byId: rest }
    })
} as const
