"""The portal: the pages a person meets before and around their servers."""
