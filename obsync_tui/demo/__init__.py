"""`obsync demo`: a shop in an embedded OceanBase, synchronized to an embedded Kafka before one's eyes."""
