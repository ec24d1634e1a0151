"""The app in a browser, for a class: a web server, and a confined process for each visitor."""
