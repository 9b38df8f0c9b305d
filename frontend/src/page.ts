import { watchEditButton } from './editor-loader'

watchEditButton()
