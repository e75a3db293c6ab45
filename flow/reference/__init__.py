"""Published national figures as reference series, to be shown beside our own."""
