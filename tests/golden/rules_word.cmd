rules sow
