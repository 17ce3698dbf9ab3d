"""What outlives the process: the journal, the ledger of trials, and their SQLite files."""
