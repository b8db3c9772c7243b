import { useEffect } from 'react'
import { closeOverlay, toast, useImages } from '../../app'
import { FindFileDialog } from '../task-dialog'
import { titleOf } from './words'

/** Where the file of an image is now that is not where it was. */
export function FindImageDialog({ image: id }: { image: string }) {
  const image = useImages((state) => state.byId[id])
  useEffect(() => {
    if (!image) closeOverlay() // it was removed meanwhile
  }, [image])
  if (!image) return null
  const title = titleOf(image)
  return (
    <FindFileDialog
      title={image.missing ? title : null}
      description={image.missing ? 'No machine can be made from it, and none that stands on it can start, until its file is found.' : `“${title}” is where it belongs.`}
      was={image.path}
      compared
      then={image.referenced ? 'It is used in its new place then, by every machine that stands on it.' : 'It is copied back into the library.'}
      subject={image.name}
      onFind={async (work, path, unchecked) => {
        if (!(await work.run('image.find', { image: id, path, unchecked }))) return
        closeOverlay()
        toast(`“${title}” is there again.`, { tone: 'good' })
      }}
    />
  )
}
