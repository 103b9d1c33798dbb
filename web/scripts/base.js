// Classic script, run before the stylesheets: the same files are published at / and below /_staging/,
// and relative addresses of this page must stay within the copy that was opened.
if (location.pathname.startsWith("/_staging/")) {
  document.querySelector("base")?.setAttribute("href", "/_staging/");
}
