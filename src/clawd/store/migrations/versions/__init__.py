"""The revisions, one a layout."""
