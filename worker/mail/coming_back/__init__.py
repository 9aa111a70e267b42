"""What comes back by mail: bounces, complaints, automatic answers and answers of people."""
