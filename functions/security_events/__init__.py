"""Security events: what happened to users' second factors, told from the table's stream to whoever subscribes."""
