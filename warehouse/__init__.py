"""Where labels become trends: SQL files and a thin loader over DuckDB."""
