"""The leaderboard: what a result row says, and (later) how the pages are built."""
