// The script of every reading page: small islands on top of pages that are complete without them.
import { watchEditButton } from './editor-loader'
import { watchDialogsAndMenus } from './page/menus'
import { watchSidebar } from './page/sidebar'
import { watchTree } from './page/tree'
import { watchPalette } from './page/palette'
import { watchShortcuts } from './page/shortcuts'
import { watchTheme } from './page/theme'
import { watchContents } from './page/contents'
import { watchBody } from './page/body'
import { watchComparison } from './page/comparison'
import { watchForms } from './page/forms'
import { watchImport } from './page/import'
import { watchAuthors } from './page/authors'
import { watchTravel } from './page/travel'
import { watchLiveState, watchPathTest } from './page/path-test'

watchTheme()
watchSidebar()
watchDialogsAndMenus()
watchTree()
watchPalette()
watchShortcuts()
watchContents()
watchBody()
watchComparison()
watchForms()
watchImport()
watchAuthors()
watchTravel()
watchPathTest()
watchLiveState()
watchEditButton()
