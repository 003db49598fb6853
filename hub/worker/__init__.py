"""What happens without a click: idle servers, lost starts, a proxy that forgot, homes past their time.

Two workers may run at once: every act asks for a state, none for a change, so the second finds it done.
"""
