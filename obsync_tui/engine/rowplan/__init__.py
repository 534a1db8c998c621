"""Row plans: functions compiled once per table version that turn row images into message bytes."""
