"""What the lessons need beside the lesson: exercises with their checks, polls, quizzes, explorers."""
