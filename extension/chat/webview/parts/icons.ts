// The codicons that the chat uses, as SVG: a twentieth of the size of the whole icon font.
import account from '@vscode/codicons/src/icons/account.svg';
import add from '@vscode/codicons/src/icons/add.svg';
import arrowDown from '@vscode/codicons/src/icons/arrow-down.svg';
import arrowUp from '@vscode/codicons/src/icons/arrow-up.svg';
import beaker from '@vscode/codicons/src/icons/beaker.svg';
import blank from '@vscode/codicons/src/icons/blank.svg';
import book from '@vscode/codicons/src/icons/book.svg';
import check from '@vscode/codicons/src/icons/check.svg';
import chevronDown from '@vscode/codicons/src/icons/chevron-down.svg';
import chevronRight from '@vscode/codicons/src/icons/chevron-right.svg';
import circleSlash from '@vscode/codicons/src/icons/circle-slash.svg';
import clippy from '@vscode/codicons/src/icons/clippy.svg';
import close from '@vscode/codicons/src/icons/close.svg';
import comment from '@vscode/codicons/src/icons/comment.svg';
import commentDiscussion from '@vscode/codicons/src/icons/comment-discussion.svg';
import copy from '@vscode/codicons/src/icons/copy.svg';
import creditCard from '@vscode/codicons/src/icons/credit-card.svg';
import dashboard from '@vscode/codicons/src/icons/dashboard.svg';
import debugDisconnect from '@vscode/codicons/src/icons/debug-disconnect.svg';
import debugPause from '@vscode/codicons/src/icons/debug-pause.svg';
import debugStop from '@vscode/codicons/src/icons/debug-stop.svg';
import diff from '@vscode/codicons/src/icons/diff.svg';
import discard from '@vscode/codicons/src/icons/discard.svg';
import edit from '@vscode/codicons/src/icons/edit.svg';
import ellipsis from '@vscode/codicons/src/icons/ellipsis.svg';
import error from '@vscode/codicons/src/icons/error.svg';
import exportIcon from '@vscode/codicons/src/icons/export.svg';
import eye from '@vscode/codicons/src/icons/eye.svg';
import file from '@vscode/codicons/src/icons/file.svg';
import fileMedia from '@vscode/codicons/src/icons/file-media.svg';
import files from '@vscode/codicons/src/icons/files.svg';
import fold from '@vscode/codicons/src/icons/fold.svg';
import folder from '@vscode/codicons/src/icons/folder.svg';
import folderOpened from '@vscode/codicons/src/icons/folder-opened.svg';
import gear from '@vscode/codicons/src/icons/gear.svg';
import gitCommit from '@vscode/codicons/src/icons/git-commit.svg';
import gitMerge from '@vscode/codicons/src/icons/git-merge.svg';
import globe from '@vscode/codicons/src/icons/globe.svg';
import history from '@vscode/codicons/src/icons/history.svg';
import info from '@vscode/codicons/src/icons/info.svg';
import insert from '@vscode/codicons/src/icons/insert.svg';
import law from '@vscode/codicons/src/icons/law.svg';
import lightbulb from '@vscode/codicons/src/icons/lightbulb.svg';
import listSelection from '@vscode/codicons/src/icons/list-selection.svg';
import loading from '@vscode/codicons/src/icons/loading.svg';
import newFile from '@vscode/codicons/src/icons/new-file.svg';
import openPreview from '@vscode/codicons/src/icons/open-preview.svg';
import pin from '@vscode/codicons/src/icons/pin.svg';
import pinned from '@vscode/codicons/src/icons/pinned.svg';
import refresh from '@vscode/codicons/src/icons/refresh.svg';
import regex from '@vscode/codicons/src/icons/regex.svg';
import search from '@vscode/codicons/src/icons/search.svg';
import symbolMethod from '@vscode/codicons/src/icons/symbol-method.svg';
import terminal from '@vscode/codicons/src/icons/terminal.svg';
import trash from '@vscode/codicons/src/icons/trash.svg';
import warning from '@vscode/codicons/src/icons/warning.svg';
import watch from '@vscode/codicons/src/icons/watch.svg';

/** Each icon's SVG, by its codicon name. It has the colour of the text around it. */
export const ICONS = {
  account,
  add,
  'arrow-down': arrowDown,
  'arrow-up': arrowUp,
  beaker,
  book,
  check,
  'chevron-down': chevronDown,
  'chevron-right': chevronRight,
  'circle-slash': circleSlash,
  clippy,
  close,
  comment,
  'comment-discussion': commentDiscussion,
  copy,
  'credit-card': creditCard,
  dashboard,
  'debug-disconnect': debugDisconnect,
  'debug-pause': debugPause,
  'debug-stop': debugStop,
  diff,
  discard,
  edit,
  ellipsis,
  error,
  export: exportIcon,
  eye,
  file,
  files,
  'file-media': fileMedia,
  folder,
  'folder-opened': folderOpened,
  gear,
  'git-commit': gitCommit,
  'git-merge': gitMerge,
  globe,
  history,
  info,
  insert,
  law,
  lightbulb,
  'list-selection': listSelection,
  loading,
  'new-file': newFile,
  'open-preview': openPreview,
  fold,
  pin,
  pinned,
  refresh,
  regex,
  search,
  'symbol-method': symbolMethod,
  terminal,
  trash,
  warning,
  watch,
  blank,
};
export type IconName = keyof typeof ICONS;
