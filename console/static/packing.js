// The print button of the packing list; without this file the browser's own menu prints the same.
"use strict";
(() => {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-prints]") : null;
    if (button) window.print();
  });
})();
