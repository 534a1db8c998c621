"""Full-Import: tables read by ranges and cuts."""
