"""What a class sees, and the page where a teacher makes an assignment."""
