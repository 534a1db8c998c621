"""`make demo`: a MySQL shop with live orders, synchronized to Kafka before one's eyes."""
