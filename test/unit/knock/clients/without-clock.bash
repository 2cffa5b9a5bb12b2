# For BASH_ENV: bash then takes the time from `date`, which a test can replace, as bash before 5.0 does.
unset EPOCHSECONDS
