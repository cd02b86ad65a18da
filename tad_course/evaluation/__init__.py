"""Is it any good? Features, distances and a report (lesson 09)."""
