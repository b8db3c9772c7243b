import '../ui/base.css'
import { startWindow } from './start'

const root = document.getElementById('root')
if (!root) throw new Error('the page has no #root')
startWindow(window.strata, root)
