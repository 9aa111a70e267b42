"""Order files of any shop: CSV, TSV, XLSX, XLS, gzip; the first connector and the fallback."""
