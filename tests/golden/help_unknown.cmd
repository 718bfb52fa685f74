help fetsch
