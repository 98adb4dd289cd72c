"""What CloudWatch does with our definitions, without CloudWatch: metric math, alarm states, dashboard bodies."""
